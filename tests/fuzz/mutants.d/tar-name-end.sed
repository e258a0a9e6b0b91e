#file src/base/tar.c
#target tar
#why a name that fills its field has no end
s/!memchr\(block \+ NAME, .*TAR_NAME_MAX \+ 1\) \|\| //
