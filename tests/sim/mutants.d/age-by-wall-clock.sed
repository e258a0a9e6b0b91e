#file src/delivery/timekeeper.c
#why a wall clock that jumps ahead makes rows old
s/^\tt->age_ms \+= gone;/\tt->age_ms += gone + (u64)step;/
