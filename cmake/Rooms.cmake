# A room: a folder under lib/ with one purpose, built as an object library that the one library of
# the project collects. ROOMS names the rooms below that it may include, HEADERS what other rooms,
# programs and tests may include of it, API what is installed. tests/cli/architecture.sh checks the
# includes against the floors in docs/architecture.md.

# Headers are included as shunt/ROOM/NAME.h, here as where they are installed.
set(SHUNT_INCLUDE_DIR ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${SHUNT_INCLUDE_DIR})
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/lib ${SHUNT_INCLUDE_DIR}/shunt SYMBOLIC)

add_library(shunt_compile_options INTERFACE)
target_compile_options(shunt_compile_options INTERFACE
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow
  $<$<BOOL:${SHUNT_WARNINGS_AS_ERRORS}>:-Werror>)
# Files above 2 GiB on every machine.
target_compile_definitions(shunt_compile_options INTERFACE _FILE_OFFSET_BITS=64 _GNU_SOURCE)

# shunt_precompile(TARGET HEADER...): reads these headers once for the target, when that is asked for.
function(shunt_precompile target)
  if(SHUNT_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# shunt_soname(FILE NAME RESULT): the name by which the shared library in FILE is loaded.
function(shunt_soname file name result)
  get_filename_component(real "${file}" REALPATH)
  string(REGEX MATCH "lib[^/]*\\.so\\.[0-9]+" soname "${real}")
  if(NOT soname)
    message(FATAL_ERROR "the shared lib${name} is needed; found ${file}")
  endif()
  set(${result} ${soname} PARENT_SCOPE)
endfunction()

function(shunt_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;HEADERS;API;ROOMS;LIBRARIES" ${ARGN})
  set(target shunt_${name})
  add_library(${target} OBJECT ${ROOM_SOURCES} ${ROOM_HEADERS})
  target_include_directories(${target} PUBLIC ${SHUNT_INCLUDE_DIR})
  target_link_libraries(${target} PRIVATE shunt_compile_options PUBLIC ${ROOM_LIBRARIES})
  # A room as one source compiles several times faster. The presets without it see to it that each
  # source includes what it needs.
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${SHUNT_UNITY_ROOMS} UNITY_BUILD_BATCH_SIZE 12)
  # All rooms share what the lowest one has read.
  if(name STREQUAL base)
    shunt_precompile(${target} ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
  elseif(SHUNT_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM shunt_base)
  endif()
  foreach(room IN LISTS ROOM_ROOMS)
    target_link_libraries(${target} PUBLIC shunt_${room})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY SHUNT_ROOMS ${name})
  set_property(GLOBAL APPEND PROPERTY SHUNT_LIBRARIES ${ROOM_LIBRARIES})
  foreach(header IN LISTS ROOM_API)
    set_property(GLOBAL APPEND PROPERTY SHUNT_API ${name}/${header})
  endforeach()
endfunction()
