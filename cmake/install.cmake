# What `make install` puts under a prefix: the program, one archive of all floors, the public headers with those of the
# floors that they show (include/espy/impl), a CMake package (find_package(espy), target espy::espy) and espy.pc.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(floors GLOBAL PROPERTY ESPY_FLOORS)
get_property(libraries GLOBAL PROPERTY ESPY_LIBRARIES)
list(REMOVE_DUPLICATES libraries)

set(objects)
foreach(floor ${floors})
  get_target_property(kind espy_${floor} TYPE)
  if(kind STREQUAL "STATIC_LIBRARY")
    list(APPEND objects $<TARGET_OBJECTS:espy_${floor}>)
  endif()
endforeach()
add_library(espy_archive STATIC ${objects})
set_target_properties(espy_archive PROPERTIES OUTPUT_NAME espy EXPORT_NAME espy LINKER_LANGUAGE CXX)
target_compile_features(espy_archive INTERFACE cxx_std_23)
target_include_directories(espy_archive INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/espy/impl>)
target_link_libraries(espy_archive INTERFACE ${libraries})

install(TARGETS espy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS espy_archive EXPORT espy ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/espy DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(floor ${floors})
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/src/${floor} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/espy/impl
    FILES_MATCHING PATTERN "*.hpp")
endforeach()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/espy)
install(EXPORT espy NAMESPACE espy:: FILE espyTargets.cmake DESTINATION ${package})
file(WRITE ${CMAKE_BINARY_DIR}/espyConfig.cmake "include(\${CMAKE_CURRENT_LIST_DIR}/espyTargets.cmake)\n")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/espyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/espyConfig.cmake ${CMAKE_BINARY_DIR}/espyConfigVersion.cmake DESTINATION ${package})

# The prefix is known when the files are installed (cmake --install --prefix), not before.
list(TRANSFORM libraries PREPEND -l OUTPUT_VARIABLE link_flags)
list(JOIN link_flags " " link_flags)
install(CODE "
  set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
  set(PROJECT_VERSION ${PROJECT_VERSION})
  set(CMAKE_INSTALL_LIBDIR ${CMAKE_INSTALL_LIBDIR})
  set(CMAKE_INSTALL_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
  set(LINK_FLAGS \"${link_flags}\")
  configure_file(${CMAKE_SOURCE_DIR}/cmake/espy.pc.in ${CMAKE_BINARY_DIR}/espy.pc @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/espy.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Manual pages and completion, made by the program from the rows of its commands.
set(bash_folder ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
set(zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
set(fish_folder ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(CODE "
  set(prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  set(manual \"\${prefix}/${CMAKE_INSTALL_MANDIR}/man1\")
  file(MAKE_DIRECTORY \"\${manual}\" \"\${prefix}/${bash_folder}\" \"\${prefix}/${zsh_folder}\" \"\${prefix}/${fish_folder}\")
  execute_process(COMMAND $<TARGET_FILE:espy> man --all \"\${manual}\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND $<TARGET_FILE:espy> completion bash OUTPUT_FILE \"\${prefix}/${bash_folder}/espy\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND $<TARGET_FILE:espy> completion zsh OUTPUT_FILE \"\${prefix}/${zsh_folder}/_espy\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND $<TARGET_FILE:espy> completion fish OUTPUT_FILE \"\${prefix}/${fish_folder}/espy.fish\" COMMAND_ERROR_IS_FATAL ANY)")
