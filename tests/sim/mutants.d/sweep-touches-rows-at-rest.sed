#file src/delivery/planner_command.c
#why a sweep that fails places rows at rest in memory
/The rows are at rest/{n;d}
