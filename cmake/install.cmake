# find_package(acqrel) and pkg-config for an installed copy.
include(CMakePackageConfigHelpers)
install(TARGETS acqrel EXPORT acqrel LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/acqrel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT acqrel NAMESPACE acqrel:: FILE acqrel-targets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/acqrel)
configure_package_config_file(cmake/acqrel-config.cmake.in acqrel-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/acqrel)
write_basic_package_version_file(acqrel-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/acqrel.pc.in acqrel.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/acqrel-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/acqrel-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/acqrel)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/acqrel.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
