# Values of maps: null checks, sizes, read-only and write-only maps, maps in maps, direct values, what may be stored.
.map ro type=array key=4 value=8 max_entries=1 flags=0x80
.map wo type=array key=4 value=8 max_entries=1 flags=0x100
.map outer type=array_of_maps key=4 value=4 max_entries=1 inner.type=array inner.key=4 inner.value=48 inner.max_entries=1
.map outer_hash type=hash_of_maps key=4 value=4 max_entries=1 inner.type=hash inner.key=8 inner.value=8 inner.max_entries=1
.map percpu type=percpu_array key=4 value=16 max_entries=1
.map lru type=lru_hash key=4 value=16 max_entries=4
.map queue type=queue key=0 value=8 max_entries=4
.map stacks type=stack_trace key=4 value=1016 max_entries=4
.map bloom type=bloom_filter key=0 value=8 max_entries=4
.map trie type=lpm_trie key=8 value=8 max_entries=4 flags=1
.map dev type=devmap key=4 value=4 max_entries=4
.map cpus type=cpumap key=4 value=4 max_entries=4
.map socks type=sockmap key=4 value=4 max_entries=4
.map sockh type=sockhash key=4 value=4 max_entries=4
.map xsks type=xskmap key=4 value=4 max_entries=4
.map cgroups type=cgroup_array key=4 value=4 max_entries=4

# r0 = an element that may be missing, whatever the key
.macro find MAP
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[$MAP] ll
  call bpf_map_lookup_elem
.endm

== null_unchecked | socket | reject: R0 invalid mem access 'map_value_or_null'
  find h48
  r0 = *(u64 *)(r0 +0)
  exit

== null_checked | socket | accept
  find h48
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== null_checked_ne | socket | accept
  find h48
  if r0 != 0 goto ok ;; goto out
ok:
  r0 = *(u64 *)(r0 +0)
  leave

== null_checked_wrong_branch | socket | reject: R0 invalid mem access 'scalar'
  find h48
  if r0 != 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== null_checked_by_32_bits | socket | reject: R0 invalid mem access 'map_value_or_null'
  find h48
  if w0 == 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== null_checked_by_register | socket | reject: R0 invalid mem access 'map_value_or_null' | >=7.3 accept
  r6 = 0
  find h48
  if r0 == r6 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== null_checked_by_a_wrong_number | socket | reject: R0 invalid mem access 'map_value_or_null'
  find h48
  if r0 == 1 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== null_checked_by_order | socket | reject: R0 invalid mem access 'map_value_or_null'
  find h48
  if r0 <= 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== null_checked_copy | socket | accept
  find h48
  r6 = r0
  if r0 == 0 goto out
  r0 = *(u64 *)(r6 +0)
  leave

== null_checked_other_lookup | socket | reject: R6 invalid mem access 'map_value_or_null'
  find h48
  r6 = r0
  find h48
  if r0 == 0 goto out
  r0 = *(u64 *)(r6 +0)
  leave

== maybe_null_moved | socket | reject: R0 pointer arithmetic on map_value_or_null prohibited, null-check it first
  find h48
  r0 += 8
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== maybe_null_of_hash | socket | reject: R0 invalid mem access 'map_value_or_null'
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  *(u64 *)(r0 +0) = 1
  r0 = 0
  exit

== known_key_of_an_array_is_never_null | socket | accept | <6.14 reject
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  r1 = map[a64] ll
  call bpf_map_lookup_elem
  r0 = *(u64 *)(r0 +0)
  r0 = 0
  exit

== known_key_beyond_the_array | socket | reject: R0 invalid mem access 'map_value_or_null'
  *(u32 *)(r10 -4) = 4
  r2 = r10 ;; r2 += -4
  r1 = map[a64] ll
  call bpf_map_lookup_elem
  r0 = *(u64 *)(r0 +0)
  r0 = 0
  exit

== unknown_key_may_be_beyond | socket | reject: R0 invalid mem access 'map_value_or_null'
  unknown32 r6
  *(u32 *)(r10 -4) = r6
  r2 = r10 ;; r2 += -4
  r1 = map[a64] ll
  call bpf_map_lookup_elem
  r0 = *(u64 *)(r0 +0)
  r0 = 0
  exit

== last_byte | socket | accept
  element a48
  *(u8 *)(r0 +47) = 1
  leave

== one_beyond | socket | reject: invalid access to map value, value_size=48 off=48 size=1
  element a48
  *(u8 *)(r0 +48) = 1
  leave

== straddling_the_end | socket | reject: invalid access to map value, value_size=48 off=44 size=8
  element a48
  r0 = *(u64 *)(r0 +44)
  leave

== before_the_value | socket | reject: invalid access to map value, value_size=48 off=-1 size=1
  element a48
  r0 = *(u8 *)(r0 -1)
  leave

== misaligned_is_fine_here | socket | accept
  element a48
  r0 = *(u64 *)(r0 +3)
  leave

== moved_back_and_forth | socket | accept
  element a48
  r0 += 100 ;; r0 += -60
  r0 = *(u64 *)(r0 +0)
  leave

== pointer_stored_in_a_value | socket | accept
  element a48
  *(u64 *)(r0 +0) = r10
  leave

== pointer_stored_in_a_value_unprivileged | socket unprivileged | reject: R10 leaks addr into map
  element a48
  *(u64 *)(r0 +0) = r10
  leave

== value_of_one_map_as_key_of_another | socket | accept
  element a48
  r2 = r0
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  leave

== value_too_short_as_key | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  element a48
  r2 = r0 ;; r2 += 41
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  leave

== maybe_null_as_key | socket | reject: R2 type=map_value_or_null expected=fp, pkt, pkt_meta, map_key, map_value, mem,
  find h48
  r2 = r0
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== value_as_value | socket | accept
  *(u64 *)(r10 -16) = 0
  element a48
  r3 = r0
  r2 = r10 ;; r2 += -16
  r1 = map[h48] ll
  r4 = 0
  call bpf_map_update_elem
  leave

== value_too_short_as_value | socket | reject: invalid access to map value, value_size=48 off=1 size=48
  *(u64 *)(r10 -16) = 0
  element a48
  r3 = r0 ;; r3 += 1
  r2 = r10 ;; r2 += -16
  r1 = map[h48] ll
  r4 = 0
  call bpf_map_update_elem
  leave

== frozen_for_programs_read | socket | accept
  element ro
  r0 = *(u64 *)(r0 +0)
  leave

== frozen_for_programs_written | socket | reject: write into map forbidden, value_size=8 off=0 size=8
  element ro
  *(u64 *)(r0 +0) = 1
  leave

== frozen_for_programs_updated | socket | reject: write into map forbidden
  *(u64 *)(r10 -8) = 0
  r1 = map[ro] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = r2 ;; r4 = 0
  call bpf_map_update_elem
  r0 = 0
  exit

== write_only_read | socket | reject: read from map forbidden, value_size=8 off=0 size=8
  element wo
  r0 = *(u64 *)(r0 +0)
  leave

== write_only_atomic | socket | reject: read from map forbidden, value_size=8 off=0 size=8
  element wo
  r1 = 1
  lock *(u64 *)(r0 +0) += r1
  leave

== write_only_updated | socket | accept
  *(u64 *)(r10 -8) = 0
  r1 = map[wo] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = r2 ;; r4 = 0
  call bpf_map_update_elem
  r0 = 0
  exit

== write_only_looked_up_privileged | socket | accept
  lookup wo
  r0 = 0
  exit

== inner_map | socket | accept
  element outer
  r1 = r0
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +40)
  leave

== inner_map_beyond | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  element outer
  r1 = r0
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +41)
  leave

== inner_map_unchecked | socket | reject: R1 type=map_value_or_null expected=map_ptr
  lookup outer
  r1 = r0
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  call bpf_map_lookup_elem
  r0 = 0
  exit

== inner_map_as_memory | socket | reject: only read from bpf_array is supported
  element outer
  *(u64 *)(r0 +0) = 1
  leave

== inner_map_moved | socket | reject: R1 pointer arithmetic on map_ptr prohibited
  element outer
  r1 = r0 ;; r1 += 8
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  call bpf_map_lookup_elem
  leave

== inner_value_unchecked | socket | reject: R0 invalid mem access 'map_value_or_null'
  element outer_hash
  r1 = r0
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  call bpf_map_lookup_elem
  r0 = *(u64 *)(r0 +0)
  leave

== inner_map_updated | socket | accept
  element outer_hash
  r1 = r0
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8 ;; r3 = r2 ;; r4 = 0
  call bpf_map_update_elem
  leave

== map_of_maps_updated_by_a_program | socket | reject: cannot pass map_type 12 into func bpf_map_update_elem#2
  *(u64 *)(r10 -8) = 0
  r1 = map[outer] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = r2 ;; r4 = 0
  call bpf_map_update_elem
  r0 = 0
  exit

== direct_value | socket | accept
  r1 = map[a48][0]+40 ll
  r0 = *(u64 *)(r1 +0)
  r0 = 0
  exit

== direct_value_beyond | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  r1 = map[a48][0]+41 ll
  r0 = *(u64 *)(r1 +0)
  exit

== direct_value_offset_outside | socket | reject: invalid access to map value pointer, value_size=48 off=48
  r1 = map[a48][0]+48 ll
  r0 = 0
  exit

== direct_value_of_a_hash | socket | reject: no direct value access support for this map type
  r1 = map[h8][0]+0 ll
  r0 = 0
  exit

== direct_value_of_more_elements | socket | reject: invalid access to map value pointer, value_size=64 off=0
  r1 = map[a64][0]+0 ll
  r0 = 0
  exit

== direct_value_needs_no_check | socket | accept
  r1 = map[a48][0]+0 ll
  *(u64 *)(r1 +8) = 1
  r0 = 0
  exit

== percpu_element | socket | accept
  element percpu
  r0 = *(u64 *)(r0 +8)
  leave

== percpu_element_beyond | socket | reject: invalid access to map value, value_size=16 off=9 size=8
  element percpu
  r0 = *(u64 *)(r0 +9)
  leave

== percpu_element_of_a_cpu | tracepoint | accept | 5.10 reject: invalid func unknown#195
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4 ;; r3 = 0
  r1 = map[percpu] ll
  call bpf_map_lookup_percpu_elem
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +8)
  leave

== percpu_helper_on_a_plain_array | tracepoint | reject: cannot pass map_type 2 into func bpf_map_lookup_percpu_elem#195
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4 ;; r3 = 0
  r1 = map[a48] ll
  call bpf_map_lookup_percpu_elem
  r0 = 0
  exit

== lru_element | socket | accept
  element lru
  r0 = *(u64 *)(r0 +8)
  leave

== queue_push | socket | accept
  *(u64 *)(r10 -8) = 0
  r1 = map[queue] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = 0
  call bpf_map_push_elem
  r0 = 0
  exit

== queue_pop_into_uninitialised | socket | accept
  r1 = map[queue] ll ;; r2 = r10 ;; r2 += -8
  call bpf_map_pop_elem
  r0 = *(u64 *)(r10 -8)
  exit

== queue_looked_up | socket | reject: invalid zero-sized read
  lookup queue
  r0 = 0
  exit

== queue_helper_on_an_array | socket | reject: cannot pass map_type 2 into func bpf_map_push_elem#87
  *(u64 *)(r10 -8) = 0
  r1 = map[a8] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = 0
  call bpf_map_push_elem
  r0 = 0
  exit

== bloom_peek | socket | accept | 5.10 reject: bloom_peek.s: map bloom: create map `bloom` (bloom_filter): Invalid argument
  *(u64 *)(r10 -8) = 0
  r1 = map[bloom] ll ;; r2 = r10 ;; r2 += -8
  call bpf_map_peek_elem
  r0 = 0
  exit

== bloom_pop | socket | reject: cannot pass map_type 30 into func bpf_map_pop_elem#88
  r1 = map[bloom] ll ;; r2 = r10 ;; r2 += -8
  call bpf_map_pop_elem
  r0 = 0
  exit

== bloom_peek_uninitialised | socket unprivileged | reject: bloom_peek_uninitialised.s: map bloom: create map `bloom` (bloom_filter): Operation not
  r1 = map[bloom] ll ;; r2 = r10 ;; r2 += -8
  call bpf_map_peek_elem
  r0 = 0
  exit

== trie_element | socket | accept
  *(u64 *)(r10 -8) = 0
  r1 = map[trie] ll ;; r2 = r10 ;; r2 += -8
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== stack_trace_looked_up | tracepoint | reject: cannot pass map_type 7 into func bpf_map_lookup_elem#1
  lookup stacks
  r0 = 0
  exit

== get_stackid | tracepoint | accept
  r2 = map[stacks] ll ;; r3 = 0
  call bpf_get_stackid
  r0 = 0
  exit

== get_stackid_with_another_map | tracepoint | reject: cannot pass map_type 2 into func bpf_get_stackid#27
  r2 = map[a8] ll ;; r3 = 0
  call bpf_get_stackid
  r0 = 0
  exit

== prog_array_looked_up | socket | reject: cannot pass map_type 3 into func bpf_map_lookup_elem#1
  lookup progs
  r0 = 0
  exit

== perf_event_array_looked_up | tracepoint | reject: cannot pass map_type 4 into func bpf_map_lookup_elem#1
  lookup events
  r0 = 0
  exit

== devmap_redirect | xdp | accept
  r1 = map[dev] ll ;; r2 = 0 ;; r3 = 0
  call bpf_redirect_map
  exit

== devmap_redirect_in_tc | tc | reject: program of this type cannot use helper bpf_redirect_map#51
  r1 = map[dev] ll ;; r2 = 0 ;; r3 = 0
  call bpf_redirect_map
  exit

== devmap_updated_by_a_program | xdp | reject: write into map forbidden
  *(u64 *)(r10 -8) = 0
  r1 = map[dev] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = r2 ;; r4 = 0
  call bpf_map_update_elem
  r0 = 0
  exit

== devmap_looked_up | xdp | accept
  lookup dev
  r0 = 0
  exit

== devmap_element_written | xdp | reject: write into map forbidden, value_size=4 off=0 size=4
  element dev
  *(u32 *)(r0 +0) = 1
  leave

== cpumap_redirect | xdp | accept
  r1 = map[cpus] ll ;; r2 = 0 ;; r3 = 0
  call bpf_redirect_map
  exit

== array_redirect | xdp | reject: cannot pass map_type 2 into func bpf_redirect_map#51
  r1 = map[a4] ll ;; r2 = 0 ;; r3 = 0
  call bpf_redirect_map
  exit

== xskmap_looked_up | xdp | accept
  element xsks
  r0 = *(u32 *)(r0 +0)
  leave

== sockmap_redirect | sk_skb/stream_verdict | accept
  r2 = map[socks] ll ;; r3 = 0 ;; r4 = 0
  call bpf_sk_redirect_map
  exit

== sockmap_with_the_hash_helper | sk_skb/stream_verdict | reject: cannot pass map_type 15 into func bpf_sk_redirect_hash#72
  *(u32 *)(r10 -4) = 0
  r2 = map[socks] ll ;; r3 = r10 ;; r3 += -4 ;; r4 = 0
  call bpf_sk_redirect_hash
  exit

== sockmap_looked_up_must_be_released | tc | reject: Unreleased reference id=2 alloc_insn=5
  lookup socks
  r0 = 0
  exit

== sockmap_looked_up_and_released | tc | accept
  lookup socks
  if r0 == 0 goto out
  r1 = r0
  call bpf_sk_release
  leave

== sockmap_looked_up_in_tracepoint | tracepoint | reject: Unreleased reference id=2 alloc_insn=5
  lookup socks
  r0 = 0
  exit

== cgroup_array | tc | accept
  r2 = map[cgroups] ll ;; r3 = 0
  call bpf_skb_under_cgroup
  r0 = 0
  exit

== cgroup_array_with_another_map | tc | reject: cannot pass map_type 2 into func bpf_skb_under_cgroup#33
  r2 = map[a4] ll ;; r3 = 0
  call bpf_skb_under_cgroup
  r0 = 0
  exit

== delete | socket | accept
  *(u64 *)(r10 -8) = 0
  r1 = map[h8] ll ;; r2 = r10 ;; r2 += -8
  call bpf_map_delete_elem
  r0 = 0
  exit

== value_after_delete_is_still_there | socket | accept
  *(u64 *)(r10 -8) = 0
  r1 = map[h8] ll ;; r2 = r10 ;; r2 += -8
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r6 = r0
  r1 = map[h8] ll ;; r2 = r10 ;; r2 += -8
  call bpf_map_delete_elem
  r0 = *(u64 *)(r6 +0)
  leave

== two_maps_by_branch | socket | accept
  unknown r6
  *(u64 *)(r10 -8) = 0
  r1 = map[h8] ll
  if r6 == 0 goto join
  r1 = map[h48] ll
join:
  r2 = r10 ;; r2 += -8
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== two_maps_by_branch_one_too_small | socket | reject: invalid access to map value, value_size=8 off=8 size=8
  unknown r6
  *(u64 *)(r10 -8) = 0
  r1 = map[h8] ll
  if r6 == 0 goto join
  r1 = map[h48] ll
join:
  r2 = r10 ;; r2 += -8
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +8)
  leave

== value_or_stack_by_branch | socket | accept
  element a48
  unknown r6
  r7 = r10 ;; r7 += -8
  *(u64 *)(r10 -8) = 0
  if r6 == 0 goto join
  r1 = map[a48][0]+0 ll
  r7 = r1
join:
  r0 = *(u64 *)(r7 +0)
  leave
