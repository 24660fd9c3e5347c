# Whimbrel::whimbrel, the shared library, and Whimbrel::whimbrel-static, the archive, as far as the
# package has them. Lies in <prefix>/lib/cmake/Whimbrel.

get_filename_component(_whimbrel_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET Whimbrel::whimbrel AND EXISTS "${_whimbrel_prefix}/lib/libwhimbrel.so.1")
  add_library(Whimbrel::whimbrel SHARED IMPORTED)
  set_target_properties(Whimbrel::whimbrel PROPERTIES
    IMPORTED_LOCATION "${_whimbrel_prefix}/lib/libwhimbrel.so.1"
    IMPORTED_SONAME "libwhimbrel.so.1"
    INTERFACE_INCLUDE_DIRECTORIES "${_whimbrel_prefix}/include"
    INTERFACE_COMPILE_DEFINITIONS "WHIMBREL_SHARED")
endif()

if(NOT TARGET Whimbrel::whimbrel-static AND EXISTS "${_whimbrel_prefix}/lib/libwhimbrel.a")
  add_library(Whimbrel::whimbrel-static STATIC IMPORTED)
  # What rustc names as native-static-libs for Linux.
  set_target_properties(Whimbrel::whimbrel-static PROPERTIES
    IMPORTED_LOCATION "${_whimbrel_prefix}/lib/libwhimbrel.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_whimbrel_prefix}/include"
    INTERFACE_LINK_LIBRARIES "gcc_s;util;rt;pthread;m;dl;c")
endif()

if(NOT TARGET Whimbrel::whimbrel AND NOT TARGET Whimbrel::whimbrel-static)
  set(Whimbrel_FOUND FALSE)
  set(Whimbrel_NOT_FOUND_MESSAGE "There is no libwhimbrel in ${_whimbrel_prefix}/lib.")
endif()
unset(_whimbrel_prefix)
