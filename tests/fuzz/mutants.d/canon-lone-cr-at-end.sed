#file src/dkim/canon.c
#target dkim_canon
#why a lone CR at the end of the body is lost
s/^\tif \(body->after_cr\) \{/\tif (false) {/
