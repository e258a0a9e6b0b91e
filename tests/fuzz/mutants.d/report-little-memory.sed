#file src/smtp/mail_field.c
#target report
#why a parameter that does not fit the arena is one that is not there
/if \(!room_in\(arena, &text, value\.len\)\)/{n;s/false/true/}
