#file src/delivery/planner_letter.c
#why a letter's row that is due behind the cursor comes to nobody's memory
s/row\.ref\.due_ms < planner->due_cursor\.due_ms\)/false)/
