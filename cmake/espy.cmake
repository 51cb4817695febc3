# The few CMake functions that the whole tree is built with.

find_program(CCACHE ccache)
if(CCACHE)
  # What ccache must be told to serve objects that use a precompiled header, and the same file in another checkout.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
find_program(BPF_CLANG NAMES clang-19 clang-20 clang-21 REQUIRED DOC "clang that compiles eBPF with -mcpu=v4")
find_program(GOLD ld.gold)
find_package(Threads REQUIRED)
find_package(GTest QUIET)

# Settings every target of ours shares, as one interface target: espy_settings.
function(espy_compile_settings)
  add_library(espy_settings INTERFACE)
  target_include_directories(espy_settings INTERFACE
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
  target_compile_options(espy_settings INTERFACE -Wall -Wextra -Wno-missing-field-initializers -Wpedantic $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -Wimplicit-fallthrough
    $<$<BOOL:${ESPY_WERROR}>:-Werror> -ffunction-sections -fdata-sections
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
    # libstdc++ 12's own std::stable_sort calls what it deprecates.
    $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
  target_link_options(espy_settings INTERFACE -Wl,--gc-sections)
  if(ESPY_SANITIZE)
    target_compile_options(espy_settings INTERFACE -fsanitize=${ESPY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(espy_settings INTERFACE -fsanitize=${ESPY_SANITIZE})
  endif()
  if(ESPY_FUZZ)
    target_compile_options(espy_settings INTERFACE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# espy_hot(FILE...): sources that are compiled for speed rather than size (and so cannot use the precompiled headers).
function(espy_hot)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:RelWithDebInfo>:-O2>" SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# espy_floor(NAME DEPS floor... PRIVATE library...): the library target of src/NAME, all its .cpp files, and its
# unit tests: NAME_test from the *_test.cpp beside the code.
function(espy_floor name)
  cmake_parse_arguments(ARG "" "" "DEPS;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(TRANSFORM ARG_DEPS PREPEND espy_)
  set_property(GLOBAL APPEND PROPERTY ESPY_FLOORS ${name})
  get_property(libraries GLOBAL PROPERTY ESPY_LIBRARIES)
  set_property(GLOBAL PROPERTY ESPY_LIBRARIES ${ARG_PRIVATE} ${libraries})  # users before what they use
  if(NOT sources)
    add_library(espy_${name} INTERFACE)
    target_link_libraries(espy_${name} INTERFACE espy_settings ${ARG_DEPS})
    return()
  endif()
  add_library(espy_${name} STATIC ${sources})
  target_link_libraries(espy_${name} PUBLIC espy_settings ${ARG_DEPS} PRIVATE ${ARG_PRIVATE})
  espy_precompile(espy_${name})
  if(tests AND BUILD_TESTING AND GTest_FOUND)
    espy_test(${name}_test SOURCES ${tests} DEPS ${name})
  endif()
endfunction()

# The heavy headers are compiled once a target kind: the first target of ours makes them, the others reuse its file.
function(espy_precompile target)
  get_property(first GLOBAL PROPERTY ESPY_PCH_OWNER)
  if(NOT first)
    set_property(GLOBAL PROPERTY ESPY_PCH_OWNER ${target})
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.hpp)
  else()
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()

# espy_test(NAME [ONE_AT_A_TIME] SOURCES file... DEPS floor... [LIBS library...] [LABELS label...]): a GoogleTest program whose
# cases are each a test of ctest.
function(espy_test name)
  cmake_parse_arguments(ARG "ONE_AT_A_TIME" "" "SOURCES;DEPS;LIBS;LABELS;BPF" ${ARGN})
  set(lock)
  if(ARG_ONE_AT_A_TIME)
    set(lock RESOURCE_LOCK ${name})
  endif()
  add_executable(${name} EXCLUDE_FROM_ALL ${ARG_SOURCES})
  set_property(GLOBAL APPEND PROPERTY ESPY_TESTS ${name})
  list(TRANSFORM ARG_DEPS PREPEND espy_)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ${ARG_LIBS} GTest::gtest GTest::gtest_main Threads::Threads)
  target_compile_definitions(${name} PRIVATE ESPY_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ESPY_BINARY_DIR="${CMAKE_BINARY_DIR}")
  espy_precompile(${name})
  if(ARG_BPF)
    add_dependencies(${name} ${ARG_BPF})
  endif()
  include(GoogleTest)
  gtest_discover_tests(${name} TEST_PREFIX "${name}/" DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 300 SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]" LABELS "${ARG_LABELS}" ${lock})
endfunction()

# espy_bench(NAME SOURCES file... DEPS floor... [LIBS library...] [BPF target...]): a program that prints a table of
# measurements, left at build/bench/bin/NAME, where scripts/run-bench finds it.
function(espy_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS;BPF" ${ARGN})
  add_executable(${name} EXCLUDE_FROM_ALL ${ARG_SOURCES})
  set_property(GLOBAL APPEND PROPERTY ESPY_BENCHMARKS ${name})
  list(TRANSFORM ARG_DEPS PREPEND espy_)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ${ARG_LIBS} Threads::Threads)
  target_compile_definitions(${name} PRIVATE ESPY_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ESPY_BINARY_DIR="${CMAKE_BINARY_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench/bin)
  espy_precompile(${name})
  if(ARG_BPF)
    add_dependencies(${name} ${ARG_BPF})
  endif()
endfunction()

# espy_program(NAME FOLDER DEPS floor...): the command itself, left at build/NAME.
function(espy_program name folder)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  add_executable(${name} ${sources})
  list(TRANSFORM ARG_DEPS PREPEND espy_)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  target_compile_definitions(${name} PRIVATE ESPY_VERSION="${PROJECT_VERSION}")
  if(ESPY_STATIC AND NOT ESPY_SANITIZE)
    target_link_options(${name} PRIVATE -static)
    # Functions that are the same are put in once, if nobody compares their addresses: templates make many.
    if(GOLD)
      target_link_options(${name} PRIVATE -fuse-ld=gold -Wl,--icf=safe)
    endif()
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  espy_precompile(${name})
endfunction()

# espy_bpf(TARGET SOURCES file.bpf.c... [OUT dir] [FLAGS flag...]): eBPF objects, one per source, in OUT.
function(espy_bpf target)
  cmake_parse_arguments(ARG "" "OUT" "SOURCES;FLAGS" ${ARGN})
  if(NOT ARG_OUT)
    set(ARG_OUT ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  file(MAKE_DIRECTORY ${ARG_OUT})
  set(objects)
  foreach(source ${ARG_SOURCES})
    get_filename_component(stem ${source} NAME)
    string(REGEX REPLACE "\\.c$" ".o" object ${stem})
    set(object ${ARG_OUT}/${object})
    get_filename_component(absolute ${source} ABSOLUTE)
    # clang runs where the mapped file names lead somewhere, so that the BTF holds the source lines' text.
    add_custom_command(OUTPUT ${object} DEPENDS ${absolute} DEPFILE ${object}.d WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
      COMMAND ${BPF_CLANG} -target bpf -O2 -g -mcpu=v3 -Wall -Wno-missing-declarations -Wno-unknown-attributes
        -D__TARGET_ARCH_x86 -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -I${CMAKE_SOURCE_DIR}/bpf ${ARG_FLAGS}
        -fdebug-prefix-map=${CMAKE_SOURCE_DIR}/= -MMD -MF ${object}.d -c ${absolute} -o ${object}
      COMMENT "eBPF ${stem}" VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  add_custom_target(${target} DEPENDS ${objects})
endfunction()
