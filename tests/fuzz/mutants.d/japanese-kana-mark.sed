#file src/message/japanese.c
#target japanese
#why a mark behind hiragana is joined as in katakana
s/return kana \+ 1;/return code + 1;/
