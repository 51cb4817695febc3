# Single instructions: atomics, byte swaps, sign extension, ordered loads and stores, signed division.

== atomic_add_64 | socket | accept
  element a8
  r1 = 1
  lock *(u64 *)(r0 +0) += r1
  leave

== atomic_add_32 | socket | accept
  element a8
  r1 = 1
  lock *(u32 *)(r0 +4) += r1
  leave

== atomic_add_beyond | socket | reject: invalid access to map value, value_size=8 off=8 size=8
  element a8
  r1 = 1
  lock *(u64 *)(r0 +8) += r1
  leave

== atomic_add_misaligned | socket | reject: misaligned value access off 0+0+4 size 8
  element a16
  r1 = 1
  lock *(u64 *)(r0 +4) += r1
  leave

== atomic_add_16_bits | socket | reject: invalid atomic operand size
  element a8
  r1 = 1
  .slot 0x00000000000010cb
  leave

== atomic_add_8_bits | socket | reject: invalid atomic operand size
  element a8
  r1 = 1
  .slot 0x00000000000010d3
  leave

== atomic_add_uninitialised | socket | reject: R1 !read_ok
  element a8
  lock *(u64 *)(r0 +0) += r1
  leave

== atomic_unknown_operation | socket | reject: BPF_ATOMIC uses invalid atomic opcode 10
  element a8
  r1 = 1
  .slot 0x00000010000010db
  leave

== atomic_on_the_stack | socket | accept
  *(u64 *)(r10 -8) = 0
  r1 = 1
  lock *(u64 *)(r10 -8) += r1
  r0 = *(u64 *)(r10 -8)
  exit

== atomic_on_the_uninitialised_stack_unprivileged | socket unprivileged | reject: invalid read from stack R10 off=-8 size=8
  r1 = 1
  lock *(u64 *)(r10 -8) += r1
  r0 = 0
  exit

== atomic_and_or_xor | socket | accept | 5.10 reject: BPF_STX uses reserved fields
  element a8
  r1 = 1
  lock *(u64 *)(r0 +0) &= r1
  lock *(u64 *)(r0 +0) |= r1
  lock *(u64 *)(r0 +0) ^= r1
  leave

== atomic_fetch | socket | accept | 5.10 reject: BPF_STX uses reserved fields
  element a8
  r1 = 1
  r1 = atomic64_fetch_add((u64 *)(r0 +0), r1)
  r0 = r1
  leave

== atomic_fetch_result_is_unknown | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  element a48
  r6 = 1
  r6 = atomic64_fetch_add((u64 *)(r0 +0), r6)
  r0 += r6
  r0 = *(u8 *)(r0 +0)
  leave

== atomic_fetch_32_is_zero_extended | socket | accept | 5.10 reject: BPF_STX uses reserved fields
  element a48
  r6 = 1
  w6 = atomic_fetch_add((u32 *)(r0 +0), w6)
  if w6 > 40 goto out
  r0 += r6
  r0 = *(u64 *)(r0 +0)
  leave

== atomic_exchange | socket | accept | 5.10 reject: BPF_STX uses reserved fields
  element a8
  r1 = 1
  r1 = atomic64_xchg((u64 *)(r0 +0), r1)
  leave

== atomic_compare_exchange | socket | accept | 5.10 reject: BPF_STX uses reserved fields
  element a8
  r6 = r0
  r0 = 0 ;; r1 = 1
  r0 = atomic64_cmpxchg((u64 *)(r6 +0), r0, r1)
  leave

== atomic_compare_exchange_without_r0 | socket | reject: R0 !read_ok
  r6 = map[a8][0]+0 ll
  r1 = 1
  r0 = atomic64_cmpxchg((u64 *)(r6 +0), r0, r1)
  r0 = 0
  exit

== atomic_compare_exchange_through_r0 | socket | reject: misaligned access off (0x0
  element a8
  r1 = 1
  r0 = atomic64_cmpxchg((u64 *)(r0 +0), r0, r1)
  leave

== atomic_fetch_into_the_frame_pointer | socket | reject: frame pointer is read only
  element a8
  .slot 0x000000010000a0db
  leave

== atomic_through_null | socket | reject: R0 invalid mem access 'map_value_or_null'
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r1 = 1
  lock *(u64 *)(r0 +0) += r1
  leave

== load_acquire | socket | accept | 5.10 reject: BPF_STX uses reserved fields | 6.1..6.12 reject: BPF_ATOMIC uses invalid atomic opcode 100
  element a8
  r1 = load_acquire((u64 *)(r0 +0))
  leave

== load_acquire_8_bits | socket | accept | 5.10 reject: BPF_STX uses reserved fields | 6.1..6.12 reject: unknown opcode d3
  element a8
  w1 = load_acquire((u8 *)(r0 +0))
  leave

== load_acquire_misaligned | socket | reject: misaligned value access off 0+0+4 size 8
  element a16
  r1 = load_acquire((u64 *)(r0 +4))
  leave

== load_acquire_from_the_packet | xdp | reject: misaligned packet access off 2+0+0+0 size 8
  r6 = *(u32 *)(r1 +0) ;; r7 = *(u32 *)(r1 +4)
  r2 = r6 ;; r2 += 8
  if r2 > r7 goto out
  r0 = load_acquire((u64 *)(r6 +0))
  leave

== load_acquire_from_the_context | tc | reject: BPF_ATOMIC loads from R1 ctx is not allowed
  w0 = load_acquire((u32 *)(r1 +0))
  r0 = 0
  exit

== load_acquire_uninitialised_base | socket | reject: R2 !read_ok
  r0 = load_acquire((u64 *)(r2 +0))
  exit

== store_release | socket | accept | 5.10 reject: BPF_STX uses reserved fields | 6.1..6.12 reject: BPF_ATOMIC uses invalid atomic opcode 110
  element a8
  r1 = 1
  store_release((u64 *)(r0 +0), r1)
  leave

== store_release_beyond | socket | reject: invalid access to map value, value_size=8 off=8 size=8
  element a8
  r1 = 1
  store_release((u64 *)(r0 +8), r1)
  leave

== store_release_misaligned | socket | reject: misaligned value access off 0+0+4 size 8
  element a16
  r1 = 1
  store_release((u64 *)(r0 +4), r1)
  leave

== store_release_of_a_pointer_unprivileged | socket unprivileged | reject: R10 leaks addr into map
  element a8
  store_release((u64 *)(r0 +0), r10)
  leave

== byte_swap_16 | socket | accept
  r0 = 1
  r0 = be16 r0
  exit

== byte_swap_16_bounds | socket | reject: invalid access to map value, value_size=48 off=65535 size=1
  setup a48 r6
  r6 = be16 r6
  read_at r6 u8

== byte_swap_of_a_constant | socket | accept | <6.17 reject
  setup a48 r6
  r6 = 0x2800
  r6 = bswap16 r6
  read_at r6 u64

== byte_swap_reserved_width | socket | reject: BPF_END uses reserved fields
  r0 = 1
  .slot 0x00000008000000dc
  exit

== byte_swap_reserved_offset | socket | reject: BPF_END uses reserved fields
  r0 = 1
  .slot 0x00000010000100dc
  exit

== byte_swap_unconditional | socket | accept | 5.10..6.1 reject: unknown opcode d7
  r0 = 1
  r0 = bswap64 r0
  exit

== byte_swap_of_a_pointer_unprivileged | socket unprivileged | reject: R0 pointer arithmetic prohibited
  r0 = r1
  r0 = be64 r0
  r0 = 0
  exit

== load_with_sign_8 | socket | reject: R0 min value is negative, either use unsigned index or do a if (index >=0) check.
  element a256
  r6 = *(s8 *)(r0 +0)
  r0 += r6
  r0 = *(u8 *)(r0 +0)
  leave

== load_with_sign_8_shifted | socket | accept | 5.10..6.1 reject: BPF_LDX uses reserved fields
  element a256
  r6 = *(s8 *)(r0 +0)
  r6 += 128
  r0 += r6
  r0 = *(u8 *)(r0 +0)
  leave

== load_with_sign_8_shifted_too_little | socket | reject: R0 min value is negative, either use unsigned index or do a if (index >=0) check.
  element a256
  r6 = *(s8 *)(r0 +0)
  r6 += 127
  r0 += r6
  r0 = *(u8 *)(r0 +0)
  leave

== load_with_sign_of_the_context | tc | reject: invalid bpf_context access off=76 size=4
  r0 = *(s32 *)(r1 +76)
  r0 = 0
  exit

== load_with_sign_of_a_context_number | tc | accept | 5.10..6.1 reject: BPF_LDX uses reserved fields
  r0 = *(s32 *)(r1 +0)
  r0 = 0
  exit

== load_with_sign_64_bits | socket | reject: unknown opcode 99
  element a8
  .slot 0x0000000000000099
  leave

== move_with_sign_8 | socket | accept | 5.10..6.1 reject: BPF_MOV uses reserved fields
  setup a256 r6
  r6 = (s8)r6
  r6 += 128
  r7 += r6
  r0 = *(u8 *)(r7 +0)
  leave

== move_with_sign_8_too_little | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a256 r6
  r6 = (s8)r6
  r6 += 127
  r7 += r6
  r0 = *(u8 *)(r7 +0)
  leave

== move_with_sign_16 | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a256 r6
  r6 = (s16)r6
  r6 += 128
  r7 += r6
  r0 = *(u8 *)(r7 +0)
  leave

== move_with_sign_32_keeps_small | socket | accept | 5.10..6.1 reject: BPF_MOV uses reserved fields
  setup a48 r6
  if r6 > 40 goto out
  r6 = (s32)r6
  read_at r6 u64

== move_with_sign_8_of_small | socket | accept | 5.10..6.1 reject: BPF_MOV uses reserved fields
  setup a48 r6
  if r6 > 40 goto out
  r6 = (s8)r6
  read_at r6 u64

== move_with_sign_into_32 | socket | accept | 5.10..6.1 reject: BPF_MOV uses reserved fields
  setup a48 r6
  w6 = (s8)w6
  if w6 > 40 goto out
  read_at r6 u64

== move_with_sign_into_32_negative | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  w6 = (s8)w6
  if w6 s> 40 goto out
  read_at r6 u64

== move_with_sign_reserved_width | socket | reject: BPF_MOV uses reserved fields
  r1 = 1
  .slot 0x00000000000510bf
  r0 = 0
  exit

== move_with_sign_32_into_32 | socket | reject: BPF_MOV uses reserved fields
  r1 = 1
  .slot 0x00000000002010bc
  r0 = 0
  exit

== signed_division | socket | accept | 5.10..6.1 reject: BPF_ALU uses reserved fields
  r0 = 100
  r0 s/= 7
  r0 = 0
  exit

== signed_division_by_register | socket | accept | 5.10..6.1 reject: BPF_ALU uses reserved fields
  r0 = 100 ;; r2 = -7
  r0 s/= r2
  r0 = 0
  exit

== signed_remainder_is_unknown | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r6 s%= 40
  r7 += r6
  r0 = *(u64 *)(r7 +0)
  leave

== signed_division_by_zero_constant | socket | reject: div by zero
  r0 = 100
  .slot 0x0000000000010037
  exit

== division_with_reserved_offset | socket | reject: BPF_ALU uses reserved fields
  r0 = 100
  .slot 0x0000000100020037
  exit

== addition_with_reserved_offset | socket | reject: BPF_ALU uses reserved fields
  r0 = 100
  .slot 0x0000000100010007
  exit

== division_by_a_constant_loses_bounds | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a256 r6
  w6 = w6
  if w6 > 255 goto out
  w6 /= 10
  r7 += r6
  r0 = *(u64 *)(r7 +250)
  leave

== arena_cast_without_arena | socket | reject: addr_space_cast insn can only be used in a program that has an associated arena
  r1 = 0
  r1 = addr_space_cast(r1, 0, 1)
  r0 = 0
  exit
