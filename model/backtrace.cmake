# acqrel_backtrace: libbacktrace, which finds the source line of an address. It comes with g++, in the compiler's own folder;
# clang builds use that of the g++ they take the C++ library from.
function(acqrel_find_backtrace found)
  foreach(compiler ${CMAKE_CXX_COMPILER} g++)
    execute_process(COMMAND ${compiler} -print-file-name=libbacktrace.a
      OUTPUT_VARIABLE library OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    get_filename_component(folder "${library}" DIRECTORY)
    if(IS_ABSOLUTE "${library}" AND EXISTS ${library} AND EXISTS ${folder}/include/backtrace.h)
      add_library(acqrel_backtrace INTERFACE)
      # Behind all others: that folder also has g++'s versions of headers every compiler has its own of.
      target_compile_options(acqrel_backtrace INTERFACE "SHELL:-idirafter ${folder}/include")
      target_link_libraries(acqrel_backtrace INTERFACE ${library})
      set(${found} ON PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${found} OFF PARENT_SCOPE)
endfunction()
