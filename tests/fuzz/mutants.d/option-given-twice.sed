#file src/console/option.c
#target option
#why the last of two options is not seen to be the second
s/parse->given\[t\] \|= 1ull << i;/parse->given[t] = 0;/
