# Slicer makes the extension's description and package of these.
foreach(
  stub_name
  HOMEPAGE
  CATEGORY
  CONTRIBUTORS
  DESCRIPTION
  ICONURL
  SCREENSHOTURLS
  DEPENDS
)
  if("${EXTENSION_${stub_name}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${stub_name} is not set")
  endif()
endforeach()
message(STATUS "Package of ${PROJECT_NAME}")
