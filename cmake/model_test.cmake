# acqrel_model_test(NAME source... [LIBRARIES library...])
#
# A program whose atomic operations, locks and plain accesses are run through every execution C++20 allows: compiled as for
# ThreadSanitizer, linked to acqrel::model instead of its runtime.
function(acqrel_model_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_options(${name} PRIVATE -fsanitize=thread -Wno-tsan -O1 -g -UNDEBUG)
  target_link_libraries(${name} PRIVATE acqrel::model ${arg_LIBRARIES})
  target_link_options(${name} PRIVATE -Wl,-z,now)
endfunction()
