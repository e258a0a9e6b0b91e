#file src/delivery/planner_sweep.c
#why a sweep that fails places rows at rest in memory
s/planner->at_rest = true/planner->at_rest = false/
