#file src/delivery/planner_recover.c
#target recovery
#why a slot's place is taken as it is
s/if \(slot->ref.place == ROW_LANE \|\| slot->ref.place == ROW_DEFERRED\)/if (slot->ref.place)/
