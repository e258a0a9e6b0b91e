#file src/delivery/timekeeper.c
#why mail is dated 1970
s/return clock_ms >= CLOCK_EARLIEST_MS;/return clock_ms + 1 > 0;/
