/** The variables of a build, as its stages see them. */
class Environment {
  private final Map own = [:]
  private final List<Map> overlays = []

  Environment(Map given) { own.putAll(given) }

  Object getProperty(String name) {
    def found = overlays.reverse().find { it.containsKey(name) }
    return found ? found[name] : own[name]
  }

  void setProperty(String name, Object value) { own[name] = value == null ? null : value.toString() }

  void with(Map values, Closure work) {
    overlays << values
    try {
      work()
    } finally {
      overlays.remove(overlays.size() - 1)
    }
  }
}
