# What Slicer's macros do with scripted modules: the files that are listed, and no others,
# are copied into the build tree and installed, with their folders below the module's.

macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(STUB "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(STUB_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule knows no ${STUB_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT STUB_NAME)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule wants a NAME")
  endif()
  set(stub_made)
  foreach(stub_file ${STUB_SCRIPTS} ${STUB_RESOURCES})
    if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${stub_file}")
      message(FATAL_ERROR "${STUB_NAME} lists ${stub_file}, which is not there")
    endif()
    set(stub_copy "${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/${stub_file}")
    add_custom_command(
      OUTPUT "${stub_copy}"
      COMMAND ${CMAKE_COMMAND} -E copy "${CMAKE_CURRENT_SOURCE_DIR}/${stub_file}" "${stub_copy}"
      DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${stub_file}"
    )
    list(APPEND stub_made "${stub_copy}")
    get_filename_component(stub_folder "${stub_file}" DIRECTORY)
    install(
      FILES "${stub_file}"
      DESTINATION "${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}/${stub_folder}"
      COMPONENT RuntimeLibraries
    )
  endforeach()
  add_custom_target(Copy${STUB_NAME} ALL DEPENDS ${stub_made})
endmacro()

function(slicer_add_python_unittest)
  cmake_parse_arguments(STUB "" "SCRIPT;TESTNAME_PREFIX" "SLICER_ARGS" ${ARGN})
  if(STUB_UNPARSED_ARGUMENTS OR NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${STUB_SCRIPT}")
    message(FATAL_ERROR "slicer_add_python_unittest: no script ${STUB_SCRIPT}")
  endif()
  message(STATUS "Test of ${STUB_SCRIPT}")
endfunction()
