# The library as its users get it. Run by ctest:
#   cmake -D SOURCE=acqrel's source tree -D WORK=a folder of this script's own -D CASE=... -P packaging.cmake
# install, install_static   builds the library without the rest and installs it below WORK/prefix
# package, pkg_config       builds and runs the consumer with what an install case left in -D PREFIX=, asking for -D VERSION=
# subdirectory, fetch       the same with the source tree inside the consumer's build
cmake_minimum_required(VERSION 3.25)
set(HERE ${CMAKE_CURRENT_LIST_DIR})
# Without GoogleTest, Boost and the rest, whether this machine has them or not; and without a network.
set(bare -G Ninja -D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}
  -D CMAKE_DISABLE_FIND_PACKAGE_GTest=ON -D CMAKE_DISABLE_FIND_PACKAGE_Boost=ON -D FETCHCONTENT_FULLY_DISCONNECTED=ON)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect_consumer_runs)
  run(${ARGN})
  if(NOT output STREQUAL "consumer read 2\n")
    message(FATAL_ERROR "the consumer printed `${output}`, not `consumer read 2`")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

if(CASE MATCHES "^install")
  set(static OFF)
  if(CASE STREQUAL "install_static")
    set(static ON)
  endif()
  run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build ${bare} -D ACQREL_DEVELOP=OFF -D ACQREL_STATIC=${static}
    -D CMAKE_INSTALL_PREFIX=/usr/local)
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  # Elsewhere than configured, as package builders and people without root do.
  run(${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/prefix)
  file(GLOB_RECURSE libraries RELATIVE ${WORK}/prefix ${WORK}/prefix/*acqrel.a ${WORK}/prefix/*acqrel.so)
  if(NOT libraries MATCHES "^lib[^;]*/libacqrel\\.(a|so)$" OR (static AND NOT libraries MATCHES "\\.a$") OR (NOT static AND libraries MATCHES "\\.a$"))
    message(FATAL_ERROR "installed with ACQREL_STATIC=${static}: `${libraries}`")
  endif()

elseif(CASE STREQUAL "package")
  run(${CMAKE_COMMAND} -S ${HERE}/consumer -B ${WORK}/build ${bare} -D CONSUME=package -D ACQREL_VERSION=${VERSION} -D CMAKE_PREFIX_PATH=${PREFIX})
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  expect_consumer_runs(${WORK}/build/consumer)

elseif(CASE STREQUAL "pkg_config")
  file(GLOB_RECURSE found ${PREFIX}/*/acqrel.pc)
  get_filename_component(folder "${found}" DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} "${folder}")
  run(pkg-config --cflags --libs acqrel)
  separate_arguments(flags UNIX_COMMAND "${output}")
  run(${COMPILER} -std=c++20 ${HERE}/consumer/main.cpp -o ${WORK}/consumer ${flags})
  run(pkg-config --variable=libdir acqrel)
  string(STRIP "${output}" libdir)
  set(ENV{LD_LIBRARY_PATH} ${libdir})
  expect_consumer_runs(${WORK}/consumer)

elseif(CASE STREQUAL "subdirectory" OR CASE STREQUAL "fetch")
  run(${CMAKE_COMMAND} -S ${HERE}/consumer -B ${WORK}/build ${bare} -D CONSUME=${CASE} -D ACQREL_SOURCE=${SOURCE})
  file(GLOB_RECURSE tests ${WORK}/build/*CTestTestfile.cmake)
  run(${CMAKE_COMMAND} --build ${WORK}/build --target help)
  if(tests OR output MATCHES "flagserver|_test|benchmarks|example_|headers_alone")
    message(FATAL_ERROR "acqrel's own tests and programs became part of its consumer: ${tests}\n${output}")
  endif()
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  expect_consumer_runs(${WORK}/build/consumer)

else()
  message(FATAL_ERROR "no such case: ${CASE}")
endif()
