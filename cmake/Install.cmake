# What `cmake --install` puts where: the binary, its media module, the library with its headers,
# package files for CMake and pkg-config, manual pages and completions.
include(CMakePackageConfigHelpers)

install(TARGETS shunt-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Beside the binary's directory, where it looks first: PREFIX/bin/shunt, PREFIX/lib/shunt.
install(TARGETS shunt-media LIBRARY DESTINATION lib/shunt)

set(pages_left_out PATTERN nbdkit-shunt-plugin.1 EXCLUDE)
if(TARGET shunt-nbdkit)
  # Where nbdkit looks, when we are installed to its prefix; below ours otherwise, where it can be
  # loaded by its path. An absolute folder would not follow `cmake --install --prefix`.
  pkg_get_variable(nbdkit_prefix nbdkit prefix)
  pkg_get_variable(nbdkit_plugins nbdkit plugindir)
  file(RELATIVE_PATH nbdkit_plugins ${nbdkit_prefix} ${nbdkit_plugins})
  set(SHUNT_NBDKIT_PLUGIN_DIR ${nbdkit_plugins} CACHE STRING
    "Where the nbdkit plugin is installed; from the prefix, unless absolute")
  install(TARGETS shunt-nbdkit LIBRARY DESTINATION ${SHUNT_NBDKIT_PLUGIN_DIR})
  set(pages_left_out)
endif()

install(TARGETS shunt EXPORT shunt-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
get_property(headers GLOBAL PROPERTY SHUNT_API)
foreach(header IN LISTS headers)
  get_filename_component(room ${header} DIRECTORY)
  install(FILES lib/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/shunt/${room})
endforeach()
install(EXPORT shunt-targets NAMESPACE shunt:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/shunt)
set(SHUNT_MODULE_DIR lib/shunt)
configure_package_config_file(cmake/shunt-config.cmake.in shunt-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/shunt
  PATH_VARS SHUNT_MODULE_DIR)
write_basic_package_version_file(shunt-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/shunt-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/shunt-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/shunt)
# From where the file lies to the prefix, so that the whole can be moved.
file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/shunt.pc.in shunt.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/shunt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
  FILES_MATCHING PATTERN "*.1" ${pages_left_out})
install(FILES completions/shunt.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME shunt)
install(FILES completions/_shunt DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
