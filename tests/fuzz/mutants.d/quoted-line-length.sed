#file src/message/encode.c
#target encode
#why lines grow over 76
s/\*column \+ \(plain \? 1 : 3\) > QUOTED_LINE_MAX - 1/*column + 1 > QUOTED_LINE_MAX - 1/
