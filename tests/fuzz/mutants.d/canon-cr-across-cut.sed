#file src/dkim/canon.c
#target dkim_canon
#why a CR at a cut is no line end
s/if \(at == len && p\[at - 1\] == .\\r.\)/if (at == len \&\& len > 1 \&\& p[at - 1] == 0)/
