#file src/dns/spf.c
#target spf
#why bytes of strangers' records reach the terminal
s/\*text < ' ' \|\| \*text > '~'/*text == 0x7f/
