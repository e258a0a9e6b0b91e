#file src/delivery/timekeeper.c
#why rows wait as long as the wall clock was set back, and are due when it is set ahead
s/^\tt->due_ms \+= gone;/\tt->due_ms += gone + (u64)step;/
