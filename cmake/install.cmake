# find_package(acqrel) and pkg-config for an installed copy.
include(CMakePackageConfigHelpers)
install(TARGETS acqrel EXPORT acqrel LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET acqrel_model AND PROJECT_IS_TOP_LEVEL)
  # The checker: its library, what leads GoogleTest to it, acqrel as it can be checked, and the CMake function.
  install(TARGETS acqrel_model acqrel_model_gtest acqrel_instrumented EXPORT acqrel
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES cmake/model_test.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/acqrel RENAME acqrel-model-test.cmake)
endif()
install(DIRECTORY include/acqrel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES tools/gdb/acqrel_printers.py DESTINATION ${CMAKE_INSTALL_DATADIR}/acqrel/gdb)
install(EXPORT acqrel NAMESPACE acqrel:: FILE acqrel-targets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/acqrel)
configure_package_config_file(cmake/acqrel-config.cmake.in acqrel-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/acqrel)
write_basic_package_version_file(acqrel-config-version.cmake COMPATIBILITY SameMinorVersion)
# Found from where it lies, so that `cmake --install --prefix` and DESTDIR leave it right.
set(pc_prefix ${CMAKE_INSTALL_PREFIX})
set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH pc_up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_up}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/acqrel.pc.in acqrel.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/acqrel-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/acqrel-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/acqrel)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/acqrel.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
