#file src/message/header.c
#target header
#why an underscore in an encoded word stands for itself
s/c == '\+' \|\| c == '-'/c == '+' || c == '_' || c == '-'/
