#file src/delivery/planner_result.c
#why a deferral counts twice
/case OUTCOME_DEFER:/,/break/s/c->deferred\+\+;/c->deferred += 2;/
