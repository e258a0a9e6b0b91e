#file src/delivery/planner_result.c
#target orders
#why a row that is given up is not counted
s/^(\t)count\(&campaign->record, action, row->ref.place == ROW_DEFERRED\);/\1if (action == OUTCOME_CANCELLED) count(\&campaign->record, action, row->ref.place == ROW_DEFERRED);/
