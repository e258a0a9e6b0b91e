#file src/dkim/canon.c
#target dkim_canon
#why white space at the end of a line stays
s/^(static void run_end_line.*)/\1/; /^static void run_end_line/,/^}/ s/body->pending_space = false;/if (body->pending_space) run_add_held(run);/
