#file src/message/encode.c
#target encode
#why white space before a line end is not encoded
s/\(blank && rest.len > 1 && rest.ptr\[1\] != .\\n.\)/blank/
