/** `currentBuild`: what a Jenkinsfile may ask of its build. */
class CurrentBuild {
  private final Build build

  CurrentBuild(Build build) { this.build = build }

  String getCurrentResult() { build.result }

  String getDisplayName() { build.displayName }

  void setDisplayName(String name) { build.displayName = name }
}
