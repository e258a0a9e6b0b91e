#file src/store/record.h
#target row_values
#why a length may pass the end of the record
s/if \(len > r->left\)/if (len > r->left + 1)/
