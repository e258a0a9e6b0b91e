#file src/dkim/sign.c
#target signed_message
#why x= is hashed a second late
s/put_time\(digits, time_s \+ expire_s\)/put_time(digits, time_s + expire_s + 1)/
