#file src/message/encode.c
#target encode
#why a line may begin with "From "
s/return slice_has_prefix\(SLICE\("From "\)/return slice_has_prefix(SLICE("from ")/
