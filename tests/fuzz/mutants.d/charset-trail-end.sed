#file src/base/charset.c
#target charset
#why the second octet of a character is looked for beyond the end
s/trail = i \+ 1 < bytes\.len \? (.*) : 0;/trail = \1;/
