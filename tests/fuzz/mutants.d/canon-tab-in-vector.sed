#file src/dkim/canon.c
#target dkim_canon
#why tabs are not seen sixteen bytes at a time
s/found \|= \(lanes\)\(c == .\\t.\) \| /found |= /
