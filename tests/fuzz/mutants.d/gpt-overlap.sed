#file src/init/gpt.c
#target gpt
#why partitions may lie over each other
s/return a->first <= b->last && b->first <= a->last;/return a->first <= b->last \&\& b->first < a->first;/
