/** Gathers the assignments of an `environment` section. */
class Assignments {
  final Map values = [:]

  void setProperty(String name, Object value) { values[name] = value.toString() }
}
