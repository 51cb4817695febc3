# Instruction streams: what the verifier refuses before and while it follows the program.

# Fields that must be zero are looked at where the program gets to; shapes and opcodes everywhere.
.macro dead SLOT
  r0 = 0
  if r0 == 0 goto end
  .slot $SLOT
end:
  exit
.endm

== smallest | socket | accept
  r0 = 0
  exit

== no_exit | socket | reject: last insn is not an exit or jmp
  r0 = 0

== exit_alone | socket | reject: R0 !read_ok
  exit

== unreachable_behind_exit | socket | reject: unreachable insn 2
  r0 = 0
  exit
  r0 = 1
  exit

== unreachable_behind_goto | socket | reject: unreachable insn 1
  goto end
  r0 = 1
end:
  r0 = 0
  exit

== dead_by_a_condition | socket | accept
  r0 = 0
  if r0 == 0 goto end
  r0 = *(u64 *)(r10 +8)
end:
  exit

== jump_out_of_the_program | socket | reject: jump out of range from insn 1 to 7
  r0 = 0
  goto pc+5
  exit

== jump_before_the_program | socket | reject: jump out of range from insn 1 to -3
  r0 = 0
  goto pc-5
  exit

== conditional_jump_out | socket | reject: jump out of range from insn 1 to 5
  r0 = 0
  if r0 == 0 goto pc+3
  exit

== jump_into_a_wide_load | socket | reject: jump into the middle of ldimm64 insn 2
  r0 = 0
  if r1 == 0 goto pc+1
  r2 = 1 ll
  exit

== falls_off_the_end | socket | reject: jump out of range from insn 1 to 2
  r0 = 0
  if r0 == 1 goto pc+0

== self_loop | socket | reject: unreachable insn 2
  r0 = 0
  goto pc-1
  exit

== wide_load_cut | socket | reject: last insn is not an exit or jmp
  r0 = 0
  .slot 0x0000000000000018

== wide_load_second_slot_bad | socket | reject: invalid bpf_ld_imm64 insn
  .slot 0x0000000000000018
  .slot 0x0000000000000001
  r0 = 0
  exit

== wide_load_reserved_source | socket | reject: unrecognized bpf_ld_imm64 insn
  .slot 0x0000000000007018
  .slot 0x0000000000000000
  r0 = 0
  exit

== wide_load_bad_map_fd | socket | reject: fd -1 is not pointing to valid bpf_map
  .slot 0xffffffff00001118
  .slot 0x0000000000000000
  r0 = 0
  exit

== second_slot_alone | socket | reject: unknown opcode 00
  .slot 0x0000000000000000
  r0 = 0
  exit

== unknown_opcode_ff | socket | reject: unknown opcode ff
  .slot 0x00000000000000ff
  r0 = 0
  exit

== unknown_opcode_0e | socket | reject: unknown opcode 0e
  .slot 0x000000000000000e
  r0 = 0
  exit

== unknown_alu_operation | socket | reject: unknown opcode e7
  .slot 0x00000000000000e7
  r0 = 0
  exit

== register_11 | socket | reject: R11 is invalid
  .slot 0x0000000000000bb7
  r0 = 0
  exit

== register_15_as_source | socket | reject: R15 is invalid
  .slot 0x000000000000f0bf
  exit

== mov_with_an_immediate_and_a_source | socket | reject: BPF_MOV uses reserved fields
  .slot 0x00000001000010b7
  exit

== mov_with_reserved_offset | socket | reject: BPF_MOV uses reserved fields
  .slot 0x00000000000110b7
  exit

== mov_register_with_immediate | socket | reject: BPF_MOV uses reserved fields
  .slot 0x00000001000010bf
  exit

== exit_with_a_register | socket | reject: BPF_EXIT uses reserved fields
  r0 = 0
  .slot 0x0000000000000195

== exit_with_an_immediate | socket | reject: BPF_EXIT uses reserved fields
  r0 = 0
  .slot 0x0000000100000095

== exit_in_the_32_bit_class | socket | reject: last insn is not an exit or jmp
  r0 = 0
  .slot 0x0000000000000096

== goto_with_an_immediate | socket | reject: BPF_JA uses reserved fields
  r0 = 0
  .slot 0x0000000100000005
  exit

== goto_with_a_register | socket | reject: BPF_JA uses reserved fields
  r0 = 0
  .slot 0x0000000000000105
  exit

== conditional_with_an_immediate_and_a_source | socket | reject: BPF_JMP/JMP32 uses reserved fields
  r0 = 0
  .slot 0x0000000100000115
  .slot 0x0000000000001015
  exit

== call_with_reserved_register | socket | reject: BPF_CALL uses reserved fields
  .slot 0x0000000700000185
  exit

== call_reserved_kind | socket | reject: BPF_CALL uses reserved fields
  .slot 0x0000000700003085
  exit

== call_of_helper_zero | socket | reject: program of this type cannot use helper bpf_unspec#0
  call 0
  exit

== call_of_no_helper | socket | reject: invalid func unknown#100000
  call 100000
  exit

== call_of_a_negative_helper | socket | reject: invalid func unknown#-1
  .slot 0xffffffff00000085
  exit

== negate_with_a_source | socket | reject: BPF_NEG uses reserved fields
  r0 = 0
  .slot 0x0000000000001087
  exit

== load_with_an_immediate | socket | reject: BPF_LDX uses reserved fields
  .slot 0x0000000100000061
  r0 = 0
  exit

== store_immediate_with_a_source | socket | reject: BPF_ST uses reserved fields
  .slot 0x00000000fff81a7a
  r0 = 0
  exit

== store_with_reserved_immediate | socket | reject: BPF_STX uses reserved fields
  .slot 0x00000001fff81a7b
  r0 = 0
  exit

== division_by_constant_zero | socket | reject: div by zero
  r0 = 1
  .slot 0x0000000000000037
  exit

== remainder_by_constant_zero | socket | reject: div by zero
  r0 = 1
  .slot 0x0000000000000094
  exit

== division_by_register_zero | socket | accept
  r0 = 1 ;; r2 = 0
  r0 /= r2
  r0 = 0
  exit

== uninitialised_register | socket | reject: R2 !read_ok
  r0 = r2
  exit

== uninitialised_in_arithmetic | socket | reject: R3 !read_ok
  r0 = 0
  r0 += r3
  exit

== uninitialised_in_a_comparison | socket | reject: R4 !read_ok
  r0 = 0
  if r4 == 0 goto pc+0
  exit

== uninitialised_destination | socket | reject: R5 !read_ok
  r5 += 1
  r0 = 0
  exit

== uninitialised_base | socket | reject: R5 !read_ok
  r0 = *(u64 *)(r5 +0)
  exit

== uninitialised_stored | socket | reject: R5 !read_ok
  *(u64 *)(r10 -8) = r5
  r0 = 0
  exit

== r0_at_start | socket | reject: R0 !read_ok
  if r0 == 0 goto pc+0
  exit

== r1_is_lost_by_a_call | socket | reject: R1 !read_ok
  call bpf_get_prandom_u32
  r0 = r1
  exit

== r5_is_lost_by_a_call | socket | reject: R5 !read_ok
  r5 = 1
  call bpf_get_prandom_u32
  r0 = r5
  exit

== r6_survives_a_call | socket | accept
  r6 = 0
  call bpf_get_prandom_u32
  r0 = r6
  exit

== set_in_one_branch_only | socket | reject: R3 !read_ok
  if r1 == 0 goto end
  call bpf_get_prandom_u32
  if r0 == 5 goto end
  r3 = 1
end:
  r0 = r3
  exit

== number_as_an_address | socket | reject: R2 invalid mem access 'scalar'
  r2 = 100
  r0 = *(u8 *)(r2 +0)
  exit

== null_as_an_address | socket | reject: R2 invalid mem access 'scalar'
  r2 = 0
  r0 = *(u8 *)(r2 +0)
  exit

== unknown_number_as_an_address | socket | reject: R6 invalid mem access 'scalar'
  unknown r6
  r0 = *(u8 *)(r6 +0)
  exit

== map_as_memory_written | socket | reject: only read from bpf_array is supported
  r1 = map[a8] ll
  *(u64 *)(r1 +0) = 0
  r0 = 0
  exit

== map_pointer_moved | socket | reject: R1 pointer arithmetic on map_ptr prohibited
  r1 = map[a8] ll
  r1 += 8
  r0 = 0
  exit

== map_ops_pointer_read | socket | accept
  r1 = map[a8] ll
  r0 = *(u64 *)(r1 +0)
  r0 = 0
  exit

== map_past_its_fields | socket | reject: access beyond struct bpf_array at off 30000 size 4
  r1 = map[a8] ll
  r0 = *(u32 *)(r1 +30000)
  exit

== long_jump | socket | accept | 5.10 reject: unknown opcode 06
  r0 = 0
  gotol end
end:
  exit

== long_jump_out | socket | reject: jump out of range from insn 1 to 9
  r0 = 0
  gotol pc+7
  exit

== long_jump_with_an_offset | socket | reject: BPF_JA uses reserved fields
  r0 = 0
  .slot 0x0000000000010006
  exit

== nop_jump | socket | accept
  r0 = 0
  goto pc+0
  exit

== callx | socket | reject: unknown opcode 8d
  r1 = 0
  callx r1
  exit

== gotox_without_a_table | socket | reject: unknown opcode 0d
  r1 = 0
  gotox r1
  r0 = 0
  exit

== dead_mov_with_a_source | socket | accept | >=7.3 reject: BPF_MOV uses reserved fields
  dead 0x00000001000010b7

== dead_mov_register_with_an_immediate | socket | accept | >=7.3 reject: BPF_MOV uses reserved fields
  dead 0x00000001000016bf

== dead_add_register_with_an_immediate | socket | accept | >=7.3 reject: BPF_ALU uses reserved fields
  dead 0x000000010000160f

== dead_division_by_zero | socket | accept
  dead 0x0000000000000037

== dead_shift_by_64 | socket | accept
  dead 0x0000004000000067

== dead_register_11 | socket | accept | >=7.3 reject: R11 is invalid
  dead 0x0000000000000bb7

== dead_frame_pointer_written | socket | accept
  dead 0x0000000000000ab7

== dead_swap_of_8_bits | socket | accept | >=7.3 reject: BPF_END uses reserved fields
  dead 0x00000008000000dc

== dead_call_with_an_offset | socket | accept | >=7.3 reject: BPF_CALL uses reserved fields
  dead 0x0000000700010085

== dead_call_of_no_kind | socket | accept | >=7.3 reject: BPF_CALL uses reserved fields
  dead 0x0000000700003085

== dead_call_of_no_helper | socket | accept
  dead 0x0000ffff00000085

== dead_exit_with_an_immediate | socket | accept | >=7.3 reject: BPF_EXIT uses reserved fields
  dead 0x0000000100000095

== dead_conditional_with_a_source | socket | accept | >=7.3 reject: BPF_JMP/JMP32 uses reserved fields
  dead 0x0000000100001015

== dead_goto_with_an_immediate | socket | accept | >=7.3 reject: BPF_JA uses reserved fields
  dead 0x0000000100000005

== dead_load_with_an_immediate | socket | reject: BPF_LDX uses reserved fields
  dead 0x0000000100000061

== dead_store_with_an_immediate | socket | accept | 5.10 reject: BPF_STX uses reserved fields | >=7.3 reject: BPF_STX uses reserved fields
  dead 0x00000001fff81a7b

== dead_store_immediate_with_a_source | socket | accept | >=7.3 reject: BPF_ST uses reserved fields
  dead 0x00000000fff81a7a

== dead_atomic_of_no_operation | socket | accept | 5.10 reject: BPF_STX uses reserved fields
  dead 0x000010000000a0db

== dead_negation_with_a_source | socket | accept | >=7.3 reject: BPF_NEG uses reserved fields
  dead 0x0000000000001087

== dead_signed_division_with_offset_2 | socket | accept | >=7.3 reject: BPF_ALU uses reserved fields
  dead 0x0000000100020037

== dead_opcode_ff | socket | reject: unknown opcode ff
  dead 0x00000000000000ff

== dead_packet_load_with_a_destination | socket | accept | >=7.3 reject: BPF_LD_[ABS
  dead 0x0000000000000128

== dead_may_goto_with_an_immediate | socket | accept | 5.10..6.1 reject: unknown opcode e5 | >=7.3 reject: invalid may_goto imm 1
  dead 0x00000001000000e5

== exit_with_an_offset | socket | accept
  r0 = 0
  .slot 0x00000000fff90095
