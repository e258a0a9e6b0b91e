#file src/delivery/planner_clock.c
#why what the next start must know of the time is not noted but at the first one
s/>= NOTE_NS/>= 9999 * NOTE_NS/; s/>= NOTE_IDLE_NS/>= 9999 * NOTE_NS/
