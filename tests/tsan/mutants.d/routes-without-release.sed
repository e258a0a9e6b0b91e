#file src/metrics/metrics.c
#why a slot of the list is read before it is filled
s/(&metrics->route_count, slot \+ 1, )memory_order_release/\1memory_order_relaxed/
