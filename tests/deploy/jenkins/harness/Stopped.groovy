/** A step that ended badly, and how the stage ends for it. */
class Stopped extends RuntimeException {
  String result

  Stopped(String result, String why) {
    super(why)
    this.result = result
  }
}
