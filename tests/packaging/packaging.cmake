# The library as its users get it. Run by ctest:
#   cmake -D SOURCE=acqrel's source tree -D WORK=a folder of this script's own -D CASE=... -P packaging.cmake
# install, install_static   builds the library without the rest and installs it below WORK/prefix
# package, pkg_config       builds and runs the consumer with what an install case left in -D PREFIX=, asking for -D VERSION=
# outside                   checks a program that knows nothing of acqrel, by two lines in its CMakeLists.txt; and breaks it
# no_checker                the same with an acqrel that was installed without the checker
# subdirectory, fetch       as package, with the source tree inside the consumer's build
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
  # The checker is built once: it is the same beside either.
  set(static OFF)
  set(model ON)
  if(CASE STREQUAL "install_static")
    set(static ON)
    set(model OFF)
  endif()
  run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build ${bare} -D ACQREL_DEVELOP=OFF -D ACQREL_STATIC=${static}
    -D ACQREL_MODEL=${model}
    -D CMAKE_INSTALL_PREFIX=/usr/local)
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  # Elsewhere than configured, as package builders and people without root do.
  run(${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/prefix)
  file(GLOB_RECURSE libraries RELATIVE ${WORK}/prefix ${WORK}/prefix/*acqrel.a ${WORK}/prefix/*acqrel.so)
  if(NOT libraries MATCHES "^lib[^;]*/libacqrel\\.(a|so)$" OR (static AND NOT libraries MATCHES "\\.a$") OR (NOT static AND libraries MATCHES "\\.a$"))
    message(FATAL_ERROR "installed with ACQREL_STATIC=${static}: `${libraries}`")
  endif()
  if(NOT EXISTS ${WORK}/prefix/share/acqrel/gdb/acqrel_printers.py)
    message(FATAL_ERROR "share/acqrel/gdb/acqrel_printers.py was not installed")
  endif()

elseif(CASE STREQUAL "package")
  run(${CMAKE_COMMAND} -S ${HERE}/consumer -B ${WORK}/build ${bare} -D CONSUME=package -D ACQREL_VERSION=${VERSION} -D CMAKE_PREFIX_PATH=${PREFIX})
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  expect_consumer_runs(${WORK}/build/consumer)

elseif(CASE STREQUAL "no_checker")
  file(COPY ${HERE}/outside DESTINATION ${WORK})
  file(APPEND ${WORK}/outside/CMakeLists.txt "find_package(acqrel REQUIRED)\nacqrel_model_test(queue_model queue_model.cpp)\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/outside -B ${WORK}/build ${bare} -D CMAKE_PREFIX_PATH=${PREFIX}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(status EQUAL 0 OR NOT output MATCHES "acqrel_model_test\\(queue_model\\): the checker is not in this installation of acqrel")
    message(FATAL_ERROR "without the checker the outside program was told:\n${output}")
  endif()

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

elseif(CASE STREQUAL "outside")
  file(COPY ${HERE}/outside DESTINATION ${WORK})
  file(APPEND ${WORK}/outside/CMakeLists.txt "find_package(acqrel REQUIRED)\nacqrel_model_test(queue_model queue_model.cpp)\n")
  run(${CMAKE_COMMAND} -S ${WORK}/outside -B ${WORK}/build -G Ninja -D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_COMPILER=${COMPILER}
    -D CMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER} -D CMAKE_PREFIX_PATH=${PREFIX})
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --verbose)
  if(NOT output MATCHES "passed: every execution of C\\+\\+20 without load buffering: 14 executions" OR NOT output MATCHES "100% tests passed")
    message(FATAL_ERROR "the queue as it should be:\n${output}")
  endif()
  message("${output}")
  # A push that hands over its cell without what it wrote there.
  file(READ ${WORK}/outside/bounded_queue.hpp right)
  string(REPLACE "c.turn.store(at + 1, std::memory_order_release)" "c.turn.store(at + 1, std::memory_order_relaxed)" broken "${right}")
  if(broken STREQUAL right)
    message(FATAL_ERROR "the queue has changed: nothing was broken")
  endif()
  file(WRITE ${WORK}/outside/bounded_queue.hpp "${broken}")
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --verbose RESULT_VARIABLE status OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
  if(status EQUAL 0 OR NOT output MATCHES "FAILED: data race" OR NOT output MATCHES "neither comes before the other")
    message(FATAL_ERROR "the queue that was broken:\n${output}")
  endif()
  message("${output}")

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
