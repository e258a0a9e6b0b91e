#file src/smtp/mail_content.c
#target report
#why an escape that the end of a message cuts is read beyond it
s/s\.len >= 2 \? hex_digit\(s\.ptr\[1\]\) : -1/hex_digit(s.ptr[1])/
