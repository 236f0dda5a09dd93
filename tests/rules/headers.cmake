# rules/headers: every public header compiles alone, twice over, with the warnings of the house.
#
#   acqrel_headers_compile_alone(TARGET INCLUDE_DIR)   an object library, part of the build, with a file for each
#                                                      header below INCLUDE_DIR/acqrel; a new header is found by itself
function(acqrel_headers_compile_alone target include_dir)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${include_dir} ${include_dir}/acqrel/*.hpp)
  set(files)
  foreach(header IN LISTS headers)
    string(REGEX REPLACE "\\.hpp$" ".cpp" file ${header})
    set(file ${CMAKE_CURRENT_BINARY_DIR}/${target}/${file})
    file(CONFIGURE OUTPUT ${file} @ONLY CONTENT "#include <${header}>\n#include <${header}>\n")
    list(APPEND files ${file})
  endforeach()
  if(files)
    add_library(${target} OBJECT ${files})
    target_compile_features(${target} PRIVATE cxx_std_20)
    target_include_directories(${target} PRIVATE ${include_dir})
    target_compile_options(${target} PRIVATE ${acqrel_warnings})
  endif()
endfunction()
