#file src/delivery/timekeeper.c
#why after a boot with the wall clock behind, rows wait for it
s/\(away > 0 \? min_u64\(\(u64\)away, longest_ms\) : 0\)/(away > 0 ? min_u64((u64)away, longest_ms) : (u64)away)/
