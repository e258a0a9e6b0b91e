#file src/delivery/shaper.c
#why the rate limit is ignored
s/double set = limits->per_second;/double set = 0 * limits->per_second;/
