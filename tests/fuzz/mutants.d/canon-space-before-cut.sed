#file src/dkim/canon.c
#target dkim_canon
#why white space before a cut counts at once
s/^(\tif \(relaxed && p\[at - 1\] == . .\))/\tif (false \&\& relaxed)/
