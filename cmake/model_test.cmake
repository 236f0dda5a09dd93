# acqrel_model_test(NAME source... [LIBRARIES library...] [TEST name])
#
# A program NAME whose atomic operations, locks and plain accesses are run through every execution C++20 allows, and a test of
# it for ctest, called NAME too unless TEST says otherwise. It is compiled as for ThreadSanitizer, and linked to
# acqrel::model instead of its runtime. GoogleTest's main() is linked where GoogleTest is found.
#
#   find_package(acqrel REQUIRED)
#   acqrel_model_test(queue_model queue_model.cpp)
#
# What LIBRARIES name is checked as far as it was compiled with the same options: headers always. A library that is not is
# seen only at its calls. For acqrel itself name acqrel::acqrel_instrumented.
function(acqrel_model_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TEST" "LIBRARIES")
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "acqrel_model_test(${name}): no source; name the files of the test after the program")
  endif()
  if(NOT TARGET acqrel::model)
    message(FATAL_ERROR "acqrel_model_test(${name}): acqrel::model is not here. It is built on x86-64 Linux, by g++ or clang, without sanitizers")
  endif()
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    message(FATAL_ERROR "acqrel_model_test(${name}): the checker runs on x86-64 Linux, not ${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}; guard the call")
  endif()
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
    message(FATAL_ERROR "acqrel_model_test(${name}): ${CMAKE_CXX_COMPILER_ID} is not known to the checker; use g++ or clang")
  endif()
  get_directory_property(options COMPILE_OPTIONS)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  if("${options} ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}" MATCHES "-fsanitize=([a-z,]*)")
    message(FATAL_ERROR "acqrel_model_test(${name}): this build uses -fsanitize=${CMAKE_MATCH_1}, whose runtime and the checker "
      "exclude each other; build model tests without")
  endif()
  foreach(library IN LISTS arg_LIBRARIES)
    if(library STREQUAL "acqrel::acqrel" OR library STREQUAL "acqrel")
      message(FATAL_ERROR "acqrel_model_test(${name}): the checker does not see into ${library}; name acqrel::acqrel_instrumented")
    endif()
  endforeach()

  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  acqrel_model_options(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} acqrel::model acqrel::model_gtest)
  if(NOT TARGET GTest::gtest_main)
    find_package(GTest QUIET)
  endif()
  if(TARGET GTest::gtest_main)
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
  endif()
  # A failing expectation of GoogleTest calls these two; model/gtest/expectations.cpp takes the calls.
  target_link_options(${name} PRIVATE -Wl,-z,now
    -Wl,--wrap=_ZN7testing8internal12AssertHelperC1ENS_14TestPartResult4TypeEPKciS5_
    -Wl,--wrap=_ZNK7testing8internal12AssertHelperaSERKNS_7MessageE)
  if(NOT arg_TEST)
    set(arg_TEST ${name})
  endif()
  add_test(NAME ${arg_TEST} COMMAND ${name})
endfunction()

# acqrel_model_options(TARGET)   compiles a library as acqrel_model_test compiles its program, so that the checker sees into it.
function(acqrel_model_options target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  # clang optimises before it instruments: from -O1 on it turns an exchange whose result is not used into a store.
  # Assertions stay. What follows are the last words on the command line, whatever the build type says before.
  # libbacktrace does not read clang's DWARF 5. Frame pointers lead out of functions of the standard library.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-O1> $<$<CXX_COMPILER_ID:Clang>:-O0>
    $<$<CXX_COMPILER_ID:GNU>:-g> $<$<CXX_COMPILER_ID:Clang>:-gdwarf-4> -UNDEBUG -fno-lto -fno-omit-frame-pointer
    -fsanitize=thread $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>
    # g++ would copy and fill blocks of constant size in place, without a word to the checker.
    $<$<CXX_COMPILER_ID:GNU>:-fno-builtin-memcpy> $<$<CXX_COMPILER_ID:GNU>:-fno-builtin-memmove>
    $<$<CXX_COMPILER_ID:GNU>:-fno-builtin-memset>)
endfunction()
