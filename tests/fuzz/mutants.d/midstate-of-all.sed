#file src/dkim/sign.c
#target signed_message
#why fields that differ by recipient are not hashed
s/i < plan->late_count; i\+\+/i + 1 < plan->late_count; i++/
